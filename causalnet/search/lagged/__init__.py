"""How graphs over variables and lags are found: conditions from the past, momentary tests, orientation of now."""
