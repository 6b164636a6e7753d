"""The whole installation of this directory on one machine, from Debian's packages."""
