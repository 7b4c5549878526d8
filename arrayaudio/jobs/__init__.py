"""Features of many recordings, by jobs that can be stopped at any time and go on."""
