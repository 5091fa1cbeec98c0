"""Outside formats, read as their publishers publish them."""
