"""The clinical core: vocabulary and diagnosis engine. Offline, small, no I/O of its own.

`once` and `file_lock` stand beside it: every room needs them, and this one all may look into.

Layers, downward only: inquiry, safety, explain > inference > features > intake >
terminology > domain > errors. Third parties: numpy and onnxruntime, nothing else.
"""
