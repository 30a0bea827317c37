"""Pure numerics: independence tests, scores, point-process likelihoods. No graph search here."""
