"""Graphs over variables and lags from series, beside tigramite, a vector autoregression and VAR-LiNGAM."""
