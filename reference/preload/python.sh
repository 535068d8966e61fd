# needs: python3 -c 'import test.test_list, test.test_dict, test.test_json' -- install python3 libpython3.11-testsuite
# proof: python3 -c pass -- python
# Python's own tests of lists, dicts and json.
python3 -m test test_list test_dict test_json >log 2>&1 || { cat log; exit 1; }
echo 'all of them pass'
