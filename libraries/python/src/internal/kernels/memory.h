// The two functions that a compiler may call without being asked, after the entry, because nothing is linked in.
__attribute__((no_builtin("memset"))) void *memset(void *to, int byte, unsigned long count) {
  for (unsigned long index = 0; index < count; index++) ((char *)to)[index] = (char)byte;
  return to;
}
__attribute__((no_builtin("memcpy"))) void *memcpy(void *to, const void *from, unsigned long count) {
  for (unsigned long index = 0; index < count; index++) ((char *)to)[index] = ((const char *)from)[index];
  return to;
}
