module fairlead/e2e/modules/probe

go 1.26.0
