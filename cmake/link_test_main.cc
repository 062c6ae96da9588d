// Linked with one module as a whole and its declared dependencies; an undeclared dependency fails the link.
int main() { return 0; }
