"""Our plugins as the Meltano Hub describes plugins, and what makes the files."""
