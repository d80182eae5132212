module fairlead/e2e/modules/fileserver

go 1.26.0
