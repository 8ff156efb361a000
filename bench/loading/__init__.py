"""Loading a practice: its people by the application's own actions, its history by SQL with every constraint on."""
