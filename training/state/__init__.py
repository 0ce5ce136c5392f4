"""States of muscle (EMG, torque, angle) from B-mode videos: networks, methods and scores."""
