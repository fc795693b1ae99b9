/* path.h - names of source files as a reader would write them. */
#ifndef PATH_H
#define PATH_H

/* Takes "." and "dir/.." out, in place: compilers write "/home/me/app/build/../main.c". The files
 * themselves are not looked at: where `dir` is a symbolic link, the result may not exist. */
void path_collapse(char *path);

#endif
