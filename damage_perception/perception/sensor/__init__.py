"""From depth images to metres, and how noisy they are."""
