<?php
$file = fopen('/var/lib/shop/visitors', 'c+');
flock($file, LOCK_EX);
$visitors = (int) fgets($file) + 1;
rewind($file);
fwrite($file, (string) $visitors);
header('Content-Type: text/plain');
echo 'The shop is open. PHP ', PHP_VERSION, " greets visitor number $visitors.\n";
