"""What n points tell of a covariance."""
