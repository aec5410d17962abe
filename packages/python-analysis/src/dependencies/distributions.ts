import { canonicalName } from "./canonical-name.js";

/**
 * Distributions (in canonical names) by the modules that they install, where the one cannot be told from the other:
 * `distribution: module module…`. A module may be dotted; the longest that begins an import decides.
 */
const DISTRIBUTIONS = `
absl-py: absl
adafruit-blinka: board busio digitalio analogio
adafruit-circuitpython-busdevice: adafruit_bus_device
adafruit-circuitpython-dht: adafruit_dht
alpaca-py: alpaca
ansible-core: ansible
antlr4-python3-runtime: antlr4
antspyx: ants
apache-airflow: airflow
apache-flink: pyflink
apache-superset: superset
argon2-cffi: argon2
atlassian-python-api: atlassian
attrs: attr
aws-cdk-lib: aws_cdk
azureml-core: azureml.core
beautifulsoup4: bs4
biopython: Bio
cadquery-ocp: OCP
camelot-py: camelot
cassandra-driver: cassandra
cattrs: cattr
cffi: _cffi_backend
cloud-sql-python-connector: google.cloud.sql
configobj: validate
cython: pyximport
databricks-sdk: databricks.sdk
databricks-sql-connector: databricks.sql
dbus-python: dbus
delta-spark: delta
discord-py: discord
django-allauth: allauth
django-ckeditor: ckeditor
django-compressor: compressor
django-cors-headers: corsheaders
django-crispy-forms: crispy_forms
django-debug-toolbar: debug_toolbar
django-environ: environ
django-filter: django_filters
django-guardian: guardian
django-import-export: import_export
django-model-utils: model_utils
django-mptt: mptt
django-oauth-toolkit: oauth2_provider
django-rest-swagger: rest_framework_swagger
django-silk: silk
django-storages: storages
django-taggit: taggit
djangorestframework: rest_framework
djangorestframework-simplejwt: rest_framework_simplejwt
dnspython: dns
docx-mailmerge: mailmerge
dogpile-cache: dogpile
dtw-python: dtw
earthengine-api: ee
facebook-sdk: facebook
factory-boy: factory
faiss-cpu: faiss
faust-streaming: faust
ffmpeg-python: ffmpeg
fpdf2: fpdf
gdal: osgeo ogr osr
gevent-websocket: geventwebsocket
gitpython: git
google-ai-generativelanguage: google.ai.generativelanguage
google-analytics-data: google.analytics.data google.analytics.data_v1beta
google-api-core: google.api_core
google-api-python-client: googleapiclient apiclient
google-auth: google.auth google.oauth2
google-cloud-aiplatform: vertexai
google-cloud-secret-manager: google.cloud.secretmanager google.cloud.secretmanager_v1
google-genai: google.genai
google-generativeai: google.generativeai
google-resumable-media: google.resumable_media
google-search-results: serpapi
googleapis-common-protos: google.api google.rpc google.type google.longrunning
graphql-core: graphql
grpcio: grpc
grpcio-health-checking: grpc_health
grpcio-reflection: grpc_reflection
grpcio-status: grpc_status
grpcio-tools: grpc_tools
haystack-ai: haystack
hidapi: hid
hydra-core: hydra
imbalanced-learn: imblearn
impyla: impala
jpype1: jpype
json-rpc: jsonrpc
jsonrpclib-pelix: jsonrpclib
junos-eznc: jnpr
kafka-python: kafka
keystone-engine: keystone
libsass: sass
libusb1: usb1
lightning-bolts: pl_bolts
line-bot-sdk: linebot
llama-cpp-python: llama_cpp
llama-index-core: llama_index.core
markdown-it-py: markdown_it
mastodon-py: mastodon
matplotlib: mpl_toolkits pylab
mypy: mypyc
mysql-connector-python: mysql.connector mysqlx
mysqlclient: MySQLdb _mysql
nats-py: nats
newspaper3k: newspaper
nfcpy: nfc
numpy-stl: stl
nvidia-ml-py: pynvml
odfpy: odf
office365-rest-python-client: office365
openai-clip: clip
openai-whisper: whisper
opencv-python: cv2
openmm: simtk
opensearch-py: opensearchpy
opentelemetry-api: opentelemetry
opentelemetry-exporter-otlp: opentelemetry.exporter.otlp
opentelemetry-sdk: opentelemetry.sdk
opentelemetry-semantic-conventions: opentelemetry.semconv
paho-mqtt: paho
parallel-ssh: pssh
pdfminer-six: pdfminer
peewee: playhouse
pep8-naming: pep8ext_naming
pillow: PIL
plotly: _plotly_utils
progressbar2: progressbar
protobuf: google.protobuf google._upb
psycopg2-binary: psycopg2
pwntools: pwn
py-cpuinfo: cpuinfo
pyautogen: autogen
pybluez: bluetooth
pycairo: cairo
pycryptodome: Crypto
pycryptodomex: Cryptodome
pycurl: curl
pyelftools: elftools
pyenchant: enchant
pyerfa: erfa
pygithub: github
pygobject: gi
pyhamcrest: hamcrest
pyhive: TCLIService
pyicu: icu
pyinstaller: pyi_splash
pyjwt: jwt
pykerberos: kerberos
pymongo: bson gridfs
pymssql: _mssql
pymupdf: fitz
pynacl: nacl
pyobjc-core: objc
pyobjc-framework-cocoa: AppKit Foundation Cocoa CoreFoundation
pyobjc-framework-quartz: Quartz
pyopengl: OpenGL
pyopenssl: OpenSSL
pyro-ppl: pyro
pyrsistent: pvectorc
pysaml2: saml2
pyscard: smartcard
pyserial: serial
pyshp: shapefile
pyside2: shiboken2
pyside6: shiboken6
pysocks: socks sockshandler
pytelegrambotapi: telebot
pytest: _pytest
python-amazon-paapi: amazon_paapi
python-arango: arango
python-barcode: barcode
python-bidi: bidi
python-binance: binance
python-can: can
python-chess: chess
python-constraint: constraint
python-consul: consul
python-crontab: crontab
python-dateutil: dateutil
python-decouple: decouple
python-docx: docx
python-dotenv: dotenv
python-engineio: engineio
python-frontmatter: frontmatter
python-gitlab: gitlab
python-gnupg: gnupg
python-jenkins: jenkins
python-jose: jose
python-json-logger: pythonjsonlogger
python-kasa: kasa
python-keystoneclient: keystoneclient
python-language-server: pyls
python-ldap: ldap ldif ldapurl
python-linkedin: linkedin
python-louvain: community
python-lsp-server: pylsp
python-lzo: lzo
python-magic: magic
python-memcached: memcache
python-miio: miio
python-multipart: multipart
python-nmap: nmap
python-okx: okx
python-osc: pythonosc
python-pam: pam
python-pptx: pptx
python-rapidjson: rapidjson
python-redis-lock: redis_lock
python-rtmidi: rtmidi
python-slugify: slugify
python-snap7: snap7
python-snappy: snappy
python-socketio: socketio
python-statemachine: statemachine
python-tds: pytds
python-telegram-bot: telegram
python-twitter: twitter
python-ulid: ulid
python-vlc: vlc
python-whois: whois
python-xlib: Xlib
python3-openid: openid
python3-saml: onelogin
pythonnet: clr
pythonocc-core: OCC
pyusb: usb
pywavelets: pywt
pywin32: win32api win32con win32gui win32com win32event win32file win32process win32service win32serviceutil
pywin32: win32security win32print win32pipe win32clipboard win32crypt pythoncom pywintypes servicemanager winerror
pywin32: win32ui win32net win32job
pyxdg: xdg
pyyaml: yaml _yaml
pyyaml-env-tag: yaml_env_tag
pyzmq: zmq
readability-lxml: readability
redis-py-cluster: rediscluster
robotframework: robot
rpi-gpio: RPi
ruamel-yaml: ruamel.yaml
scikit-build: skbuild
scikit-image: skimage
scikit-learn: sklearn
scikit-optimize: skopt
scikit-plot: scikitplot
scikit-surprise: surprise
setuptools: pkg_resources _distutils_hack
shopifyapi: shopify
sip: sipbuild
slackclient: slack
snowflake-connector-python: snowflake.connector
snowflake-snowpark-python: snowflake.snowpark
snowflake-sqlalchemy: snowflake.sqlalchemy
social-auth-app-django: social_django
social-auth-core: social_core
sorl-thumbnail: sorl
speechrecognition: speech_recognition
sseclient-py: sseclient
stomp-py: stomp
streamlit-aggrid: st_aggrid
suds-community: suds
ta-lib: talib
tabula-py: tabula
tavily-python: tavily
tencentcloud-sdk-python: tencentcloud
tensorflow: tensorflow_core
torch: functorch torchgen
u-msgpack-python: umsgpack
umap-learn: umap
vtk: vtkmodules
weaviate-client: weaviate
webpy: web
websocket-client: websocket
wikipedia-api: wikipediaapi
wxpython: wx
yara-python: yara
`;

/** Packages that many distributions share, and how many parts of a module's name tell which one it is. */
const NAMESPACES: Readonly<Record<string, number>> = {
  "airflow.providers": 3,
  azure: 2,
  "azure.ai": 3,
  "azure.cognitiveservices": 4,
  "azure.data": 3,
  "azure.keyvault": 3,
  "azure.mgmt": 3,
  "azure.monitor": 3,
  "azure.search": 3,
  "azure.storage": 3,
  backports: 2,
  "google.cloud": 3,
  jaraco: 2,
  "opentelemetry.exporter": 3,
  "opentelemetry.instrumentation": 3,
  sphinxcontrib: 2,
  zope: 2,
};

/** Parts of the longest names among these modules. */
const DEEPEST = 3;

/** Distributions of a namespace are named after the module, with this in front. */
const PREFIXES: Readonly<Record<string, string>> = { "airflow.providers": "apache-" };

const byModule: ReadonlyMap<string, string> = new Map(
  DISTRIBUTIONS.trim()
    .split("\n")
    .flatMap((line) => {
      const [distribution, modules] = line.split(": ");
      return modules!.split(" ").map((module) => [module, distribution!] as const);
    }),
);

/**
 * The distribution that installs a module, as far as names tell: from the table, by the rule of its namespace package, else
 * of the same name. `null` where the name alone does not say, as for `google` and for names that begin with `_`.
 *
 * @param module - dotted, such as `google.cloud.storage`
 */
export function distributionOf(module: string): string | null {
  const parts = module.split(".");
  for (let length = Math.min(parts.length, DEEPEST); length > 0; length--) {
    const prefix = parts.slice(0, length).join(".");
    const known = byModule.get(prefix);
    if (known !== undefined) return known;
    const depth = Object.hasOwn(NAMESPACES, prefix) ? NAMESPACES[prefix]! : undefined;
    if (depth === undefined) continue;
    if (parts.length < depth) return null;
    const name = parts
      .slice(0, depth)
      .join("-")
      .replace(/_v\d+\w*$/, "");
    return canonicalName((PREFIXES[prefix] ?? "") + name);
  }
  const [top] = parts;
  return top === undefined || top === "google" || top.startsWith("_") ? null : canonicalName(top);
}

/** Whether a module is only a place for others, so that what is imported from it tells the distribution. */
export function isNamespace(module: string): boolean {
  return Object.hasOwn(NAMESPACES, module) || module === "google";
}
