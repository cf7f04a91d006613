"""What n points say of a covariance."""
