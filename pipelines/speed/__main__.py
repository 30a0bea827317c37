from .discovery import main

main()
