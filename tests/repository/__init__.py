"""Checks of documents, workflows, the Hub listing and the SDK's contract."""
