"""The HTTP service: what `mnistry read` does, for programs and for the page at `/`.

connection.py   one connection: how long and how large a request's head may be
proxies.py      whose word is taken for who the client is
gate.py         one request: who may ask, how much, and what is counted
api.py          the addresses and what each answers
bodies.py       the body of a request as it arrives: how fast, how large, and how much of all together
requests.py     what a request says: parameters, pictures, images
answers.py      what is answered, as types
site.py         the files of the pages
pictures.py     from a picture to the answer
batches.py      images that come together go through the model together
corrections.py  pictures with what is to be read in them, kept to teach with
labelling.py    a folder of pictures that is labelled on a page
models.py       the models that can be asked for, taken anew when their file is
openapi.py docs.py    the description, for programs and for people
limits.py problems.py metrics.py logs.py    the bounds, the errors, what is counted, what is logged
server.py       sockets, signals
"""
