"""Quality and memorization against the number of sampling steps, exactly."""
