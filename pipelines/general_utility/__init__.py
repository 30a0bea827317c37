"""General utilities and localized policy improvement: shadow gradients, the line, the wireless grid, samples against returns."""
