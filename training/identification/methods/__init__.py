"""Methods that find units in a recording, behind one interface."""
