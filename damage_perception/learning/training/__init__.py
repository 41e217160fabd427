"""The network and the evidence: views, patches, losses, what came of it."""
