# Weights travel between the programs and PyTorch's modules, both ways.
if(TARGET vaetl-train AND NOT VAETL_SANITIZE)
  add_test(NAME models_both_ways COMMAND ${VAETL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/test_both_ways.py ${PROJECT_BINARY_DIR}/bin)
  set_tests_properties(models_both_ways PROPERTIES TIMEOUT 300)
  add_test(NAME models_exports COMMAND ${VAETL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/test_exports.py ${PROJECT_BINARY_DIR}/bin)
  set_tests_properties(models_exports PROPERTIES TIMEOUT 300)
endif()
