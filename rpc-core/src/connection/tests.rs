//! Two machines wired back to back.
