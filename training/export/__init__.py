"""What training hands to a device: ONNX, compact trees, and the proof that they agree."""
