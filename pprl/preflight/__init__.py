"""Before anything leaves the machine: what a roster could show (``power``), and what encodings reveal (``risk``)."""
