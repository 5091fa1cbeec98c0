"""The commands of the learning loop: `python -m training retrain | approve | release | …`."""
