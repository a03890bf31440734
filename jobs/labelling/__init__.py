"""The page where people label an audit: blind, by keyboard, several at once, nothing but our own files."""
