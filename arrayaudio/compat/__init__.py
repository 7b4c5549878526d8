"""Other libraries' names and numbers over arrayaudio's transforms: one library a folder."""
