"""What a model bundle is, and why it may be trusted.

A bundle is a set of named members (models, vocabulary, golden cases, notices) and one canonical
manifest that names the SHA-256 and length of each; the digest of the manifest is the digest of
the bundle. Every stored file is a target of a TUF repository (The Update Framework), so the way
from the root of trust that ships with the application to each byte the engine reads is one chain
of signatures and hashes.

Two clocks, kept apart:

- *Installing* (`client`) asks whether the repository is fresh. An expired timestamp means
  "install nothing new".
- *Serving* (`verify`) asks only whether the bytes are those that were signed. It never looks at
  the clock, so months without a link never stop a clinic.

Rooms: `layout` and `manifest` say what a bundle holds; `chain` and `verify` turn bytes into a
`VerifiedBundle` or raise a `BundleError`; `client` fetches; `slots` keeps active, previous and
staged releases; `selftest` reproduces the golden cases; `embedded` finds the bundle that ships
with the application; `authoring` builds and signs, and is imported by training only.
"""
