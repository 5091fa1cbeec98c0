"""The clinical core: vocabulary and diagnosis engine. Offline, small, no I/O of its own.

Layers, downward only: inquiry, safety, explain > inference > features > intake >
terminology > domain > errors. Third parties: numpy and onnxruntime, nothing else.
"""
