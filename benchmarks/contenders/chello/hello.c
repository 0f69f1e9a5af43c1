/* The least that a C program can do: the floor below all others. */
#include <stdio.h>

int main(void) { return puts("hello") < 0; }
