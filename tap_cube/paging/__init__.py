"""All pages of one resource, to a certain end."""
