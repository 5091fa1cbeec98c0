"""Records of hospitals, HL7 v2 and FHIR R4, as visits of coded fields."""
