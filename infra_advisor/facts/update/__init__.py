"""Fresh prices: one adapter per source turns bytes into rows of the catalog's own tables, without network and without clock."""
