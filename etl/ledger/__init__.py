"""How far a batch, a page and a record have come. The only room that commits."""
