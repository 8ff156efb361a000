"""What those see who look after an installation: health, metrics, logs, and `daysheet check`. Never a client's name."""
