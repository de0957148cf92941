"""From a picture's file to its pixels: what is plain here, all else in a process that can be killed."""
