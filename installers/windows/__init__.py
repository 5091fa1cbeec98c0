"""The MSI for Windows x64, its policies' templates, its signature, and what deploys it."""
