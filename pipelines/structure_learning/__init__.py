"""Structure learning: native methods and peers on the same problems in the same run."""
