# Several sources in one compilation, for builds nobody edits in: most of the work of a source is the headers it shares
# with the others. apus_compile_together(FOLDER) makes every target of FOLDER, and of the folders below it, do so.
#
# Sources of one compilation share their unnamed namespace: "redefinition of ..." or "... is ambiguous" in such a build
# means that two sources of one target keep a name to themselves, and that one of them wants a better name.
function(apus_compile_together folder)
  apus_targets_below(${folder} targets)
  set_target_properties(${targets} PROPERTIES UNITY_BUILD ON)
endfunction()
