"""The online half of the feature store: the newest values, read while a request waits."""
