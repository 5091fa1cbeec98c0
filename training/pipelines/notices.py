"""Licences and citations that travel inside every bundle."""

NOTICES = """\
# Notices of this bundle

## Human Phenotype Ontology
This service/product uses the Human Phenotype Ontology (release {hpo}). Find out more at
http://www.human-phenotype-ontology.org. The files `vocabulary/hp.obo` and
`vocabulary/phenotype.hpoa` are unaltered. Our Spanish labels and lay synonyms are our own and are
kept apart from them. Cite: Gargano MA et al. The Human Phenotype Ontology in 2024: phenotypes
around the world. Nucleic Acids Res 2024;52:D1333-D1346.
Disease names and annotations come from that release (OMIM, Orphanet and DECIPHER identifiers).

## DDXPlus
The common model was fitted on DDXPlus (CC-BY 4.0): Fansi Tchango A et al. DDXPlus: a new dataset
for automatic medical diagnosis. NeurIPS 2022 Datasets and Benchmarks. The data set itself is not in
this bundle; the bundle holds what the model learned and our own wording of findings and diseases.

## GA4GH phenopacket-store
The weighing of common against rare was fitted on published cases of phenopacket-store (BSD-3):
Danis D et al. A corpus of GA4GH phenopackets. HGG Adv 2025;6:100371. No case is in this bundle.

## Vereda
Everything else: Apache-2.0, the Vereda authors.

Not a certified medical device. It supports a clinician's judgement and does not replace it.
"""


def notices(hpo_version: str) -> bytes:
    """Return the member `notices/NOTICES.md` for one HPO release."""
    return NOTICES.format(hpo=hpo_version).encode()
