"""Personal data: which records belong to a person, masked views and database roles."""
