"""What is kept on disk: files whole or absent, checkpoints without pickles."""
