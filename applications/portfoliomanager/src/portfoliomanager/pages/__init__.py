"""The pages: one view a page, made of the fund's answers, and the template that shows it."""
