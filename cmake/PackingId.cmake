# cmake -DFOLDER=kernels_c -DHEADER=packing_id.h -P PackingId.cmake: a hash of the sources in FOLDER.

file(GLOB_RECURSE sources RELATIVE ${FOLDER} ${FOLDER}/*.c ${FOLDER}/*.h ${FOLDER}/*.inc ${FOLDER}/*.def)
list(SORT sources)
set(hashes "")
foreach(source IN LISTS sources)
  file(SHA256 ${FOLDER}/${source} hash)
  string(APPEND hashes "${source} ${hash}\n")
endforeach()
string(SHA256 id "${hashes}")
file(WRITE ${HEADER} "#define SAM_PACKING_ID \"${id}\"\n")
