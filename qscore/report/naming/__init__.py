"""The page of a naming study: how far people's words go, whether they agree, and what they say of images."""
