"""Networks that find motor units and estimate their twitch trains, with their losses."""
