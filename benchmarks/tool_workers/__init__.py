"""One process a tool: it asks a served model for verdicts in the tool's own way. Run by benchmarks.tools."""
