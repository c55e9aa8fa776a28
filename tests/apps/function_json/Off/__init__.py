def main(req):
    return "on"
