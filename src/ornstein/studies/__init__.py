"""Monte Carlo studies: cells, workers, a store, a table."""
